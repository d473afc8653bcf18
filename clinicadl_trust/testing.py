"""Contract checks that plugin authors run on their own classes."""
