"""Carries leads to Dynamics and brings back what became of them: an adapter on the connector kit."""
