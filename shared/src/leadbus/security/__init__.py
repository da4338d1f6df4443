"""Who may do what, how credentials are kept, and which addresses may be called."""
