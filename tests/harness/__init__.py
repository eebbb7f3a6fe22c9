"""What system tests and the demo run the programs in: namespaces, processes, configs, readers of /proc."""
