"""The local overlay with real processes: deployed, rolled, scaled and killed under the demo's traffic.

`manifests` reads what kubectl renders; `cluster` does with it what Kubernetes would: a pod is a process with
its container's command, environment and files, probed and stopped as written. Translated are only
- addresses: those of Kafka and MongoDB, and 0.0.0.0, which is an address of the pod's own on loopback, so
  that each pod and each Service has its port as written;
- paths: a volume is a folder of the pod's, to which `*_FILE` variables lead, and TMPDIR for one at /tmp; the
  image's program is the one beside this Python.

There is no image, no node and no network policy here, and memory has no limit.
"""
