"""Where machines come from, and what they cost there."""
