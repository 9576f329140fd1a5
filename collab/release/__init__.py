"""Out: interpretation, tables, snapshots, the report."""
