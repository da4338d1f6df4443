"""Rows of the CRM taken in, one file per kind: rows and what the mirror has of them in, events out.

`known` what takers are given and answer · `telling` events that fit · `gathering` what is known of a page ·
`fields` what was changed of a person · `table` which taker is whose.
"""
