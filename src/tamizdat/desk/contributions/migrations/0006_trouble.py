# SPDX-License-Identifier: AGPL-3.0-or-later
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("contributions", "0005_payments_found")]

    operations = [
        migrations.CreateModel(
            name="Trouble",
            fields=[
                (
                    "task",
                    models.CharField(max_length=60, primary_key=True, serialize=False),
                ),
                ("since", models.DateTimeField()),
                ("said", models.CharField(max_length=500)),
            ],
            options={"default_permissions": ()},
        ),
    ]
