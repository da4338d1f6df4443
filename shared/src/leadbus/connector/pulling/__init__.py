"""From the CRM to topics: when and what is read, page by page."""
