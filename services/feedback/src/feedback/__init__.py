"""Feedback owns what became of each distribution: the first answer to it, and what came back of the lead."""
