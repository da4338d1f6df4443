"""Carries leads to CRMs of the SugarCRM family over SOAP, and reads what became of them."""
