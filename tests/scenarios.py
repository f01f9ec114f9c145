"""Every cause that the doctor must find, how it is set here, and the code that must come first: one table."""

from live_view_scenarios import LIVE_VIEW
from partner_scenarios import PARTNER_API
from service_scenarios import SERVICES
from signaling_scenarios import SIGNALING

ALL = (*LIVE_VIEW, *PARTNER_API, *SERVICES, *SIGNALING)
