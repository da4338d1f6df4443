"""SOAP 1.1 at Organization.svc/web: 2011 to 2015, and later organisations whose Web API is shut.

Every call is the operation Execute, with a message by name and parameters by name: what 8 operations and 250
kinds of request are in the WSDL is one envelope here, and one kind of answer. So it is written and read with
lxml: zeep would need the 21 schemas of the SDK, read for seconds at each start, and decodes an answer of
another version's type as its base only (contract notes). DTDs and entities are refused.
"""
