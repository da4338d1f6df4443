"""What a topic is called on the cluster."""


def on_wire(prefix: str, topic: str) -> str:
    """The topic's name on a cluster that several installations may share (`LEADBUS_TOPIC_PREFIX`)."""
    return prefix + topic


def off_wire(prefix: str, name: str) -> str:
    """The inverse of `on_wire`: the name by which the registry knows the topic."""
    return name.removeprefix(prefix)
