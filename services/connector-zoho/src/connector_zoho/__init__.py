"""Carries leads to Zoho and brings back what became of them: an adapter on the connector kit."""
