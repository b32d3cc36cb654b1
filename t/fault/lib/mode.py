"""Who sees to it that names last: how the suite is told to sync, and the disk that it relies on."""

from collections import namedtuple

from disk import Disk, NamingDisk

# title: what stands in the lines that are printed; settings: of the host, by name.
Mode = namedtuple("Mode", "title settings disk")

OFF = {"sync-folders": "off"}
AS_INSTALLED = Mode("folders synced", {}, Disk)
FILES_ONLY = Mode("sync-folders off", OFF, NamingDisk)
# Nobody sees to it.
RECKLESS = Mode("sync-folders off on the strict disk", OFF, Disk)
