"""From facts to the CRM: merging, planning, working off, settling."""
