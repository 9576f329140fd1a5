"""Operations: what starts, ends and watches the deployments."""
