"""What goes wrong with a server of the sandbox."""


class ServerError(RuntimeError):
    """A server could not be had, did not answer, or ended; the text is for the person at the terminal."""
