"""Real processes, real faults, and a history that is checked."""
