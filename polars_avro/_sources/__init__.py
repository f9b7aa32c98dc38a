"""Sources that users pass: inputs, patterns and directories as files, partitions in paths."""
