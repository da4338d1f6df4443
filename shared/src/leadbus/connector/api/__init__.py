"""What a connector answers over HTTP."""
