"""Campaigns in the CRM: made and kept up to date there beside deliveries, which put people in them."""
