"""Out: interpretation, tables, snapshots."""
