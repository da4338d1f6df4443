"""The same job in other frameworks, each as its documentation has it: told by variables, run until SIGTERM.

`environment` is where Quix Streams and Bytewax are installed, away from the project's own packages.
"""
