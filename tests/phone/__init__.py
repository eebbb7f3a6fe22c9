"""A small SIP phone for tests: no thread, no surprise; a test says step by step what it sends and what it expects."""
