"""Save and test: what keeps a connection from working, found before it is turned on."""
