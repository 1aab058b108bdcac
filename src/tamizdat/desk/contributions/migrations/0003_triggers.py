# SPDX-License-Identifier: AGPL-3.0-or-later
from django.db import migrations

from tamizdat.desk.contributions import triggers


class Migration(migrations.Migration):
    dependencies = [("contributions", "0002_wishes")]

    operations = [
        migrations.RunPython(
            lambda apps, editor: triggers.create(editor),
            lambda apps, editor: triggers.drop(editor),
        )
    ]
