# SPDX-License-Identifier: AGPL-3.0-or-later
from django.db import migrations

from tamizdat.desk.audit import triggers


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]

    operations = [
        migrations.RunPython(
            lambda apps, editor: triggers.create(editor),
            lambda apps, editor: triggers.drop(editor),
        )
    ]
