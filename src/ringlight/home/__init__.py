"""Home automation: cameras over MQTT, in the form in which Home Assistant finds them by itself."""
