"""Has an IRRd do for one source what its scheduler does from time to time, at once and with settings of its own.

    irrd_once.py SETTINGS SOURCE STEP...

update    takes objects.db beside the settings as what its source has now
import    as a mirror: takes its dump, or the changes since over NRTM
export    writes the dump to export_destination
publish   writes what is new for clients of NRTMv4 to nrtm4_server_local_path
keys      prints the class and the key of each object, on a line
forget    deletes its objects
"""

import sys
from pathlib import Path

from irrd.conf import config_init

settings, source, *steps = sys.argv[1:]
config_init(settings)

from irrd.mirroring.mirror_runners_export import SourceExportRunner  # noqa: E402
from irrd.mirroring.mirror_runners_import import RPSLMirrorImportUpdateRunner  # noqa: E402
from irrd.mirroring.nrtm4.nrtm4_server import NRTM4Server  # noqa: E402
from irrd.scripts.update_database import update  # noqa: E402
from irrd.storage.database_handler import DatabaseHandler  # noqa: E402
from irrd.storage.queries import RPSLDatabaseQuery  # noqa: E402


def keys():
    handler = DatabaseHandler(readonly=True)
    query = RPSLDatabaseQuery(column_names=["object_class", "rpsl_pk"]).sources([source])
    for row in handler.execute_query(query):
        print(row["object_class"], row["rpsl_pk"].replace("\n", "\\n"))
    handler.close()


def forget():
    handler = DatabaseHandler()
    handler.delete_all_rpsl_objects_with_journal(source)
    handler.commit()
    handler.close()


does = {
    "update": lambda: update(source, Path(settings).with_name("objects.db")),
    "import": lambda: RPSLMirrorImportUpdateRunner(source).run(),
    "export": lambda: SourceExportRunner(source).run(),
    "publish": lambda: NRTM4Server(source).run(),
    "keys": keys,
    "forget": forget,
}
for step in steps:
    if does[step]():
        sys.exit(f"{step} failed")
