"""What a user may pass as a source: inputs, patterns and directories as files, partitions in paths."""
