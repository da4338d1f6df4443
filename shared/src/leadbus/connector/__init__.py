"""The connector kit: does once what every CRM needs; an adapter plugs in and knows its vendor only."""
