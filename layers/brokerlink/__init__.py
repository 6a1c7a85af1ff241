"""Daily broker logins: from a browser redirect to an encrypted access token."""
