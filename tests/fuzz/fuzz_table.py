"""The one table of all fuzz targets."""

import fuzz_media
import fuzz_program
import fuzz_talk
import fuzz_web

TARGETS = (*fuzz_media.TARGETS, *fuzz_talk.TARGETS, *fuzz_web.TARGETS, *fuzz_program.TARGETS)
BY_NAME = {target.name: target for target in TARGETS}
assert len(BY_NAME) == len(TARGETS)
