"""The project measured beside its peers. Peers' scripts import this package: keep it bare."""
