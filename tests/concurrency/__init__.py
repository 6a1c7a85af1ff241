"""What happens at the same moment, over HTTP, on the local stack with its functions in processes of their own."""
