"""What a browser sends and sees: requests, cookies, responses, pages. Nothing here decides about a login."""
