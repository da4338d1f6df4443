"""The CRMs behind the sample, in words that fit every vendor, and what people do in them by hand.

`crm` what every one is asked · `tables` what is in one · `sugar`, `zoho`, `dynamics` one vendor each.
"""
