"""What people do beside the main job: set up, place and release holds, resolve findings, take exports."""
