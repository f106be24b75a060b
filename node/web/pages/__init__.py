"""The pages: what people see of the node in a browser, made here on the server."""
