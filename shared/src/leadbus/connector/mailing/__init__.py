"""Mails to people: what is said is spooled in MongoDB, and sent from there by SMTP; nothing waits for it."""
