"""The miniature stack's own library layer."""
