"""Faults of home automation over MQTT."""

from ringlight.faults.fault import Fault, Retry

ROWS = (
    Fault(
        "MQTT-BROKER",
        "The MQTT broker cannot be reached",
        cause="Nothing answers at the broker's address, or the connection to it was lost. It is tried again by itself.",
        fix="Start the broker (Home Assistant: the add-on Mosquitto), and check `mqtt.url` and its port.",
        retry=Retry.BACKOFF,
        http=502,
    ),
    Fault(
        "MQTT-LOGIN",
        "The MQTT broker refuses us",
        cause="The broker does not take this name and password, or does not let them in.",
        fix="Correct name and password in `mqtt.url`, and let them read and write below `mqtt.prefix` and "
        "`mqtt.discovery`.",
        retry=Retry.BACKOFF,
        http=502,
    ),
)
