"""Writing: arguments as the core wants them, targets, frames, partitions."""
