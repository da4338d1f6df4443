"""The judge: what was lost or doubled, from what upstream kept and from the CRMs' own tables alone."""
