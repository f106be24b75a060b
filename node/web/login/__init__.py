"""The pages of signing in: with a wallet, or with an API token; and what a member signs in with."""
