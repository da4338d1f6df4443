"""The Web API (OData v4): Dynamics 365 and Dataverse, and on-premises from 8.0 on."""
