"""Where state is kept: MongoDB, behind ports."""
