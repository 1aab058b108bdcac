# SPDX-License-Identifier: AGPL-3.0-or-later
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("newsletter", "0006_uploads")]

    operations = [
        migrations.AddField(
            model_name="upload",
            name="cohort",
            field=models.CharField(blank=True, db_default="", default="", max_length=40),
        )
    ]
