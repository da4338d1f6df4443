"""The usual plug-in: one session, one call after the other; for each lead a search, a create and a note.

One module for each protocol, all with `work(url, emails)`: it signs in, does the work, and returns the
seconds that the work took.
"""
