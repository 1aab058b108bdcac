# SPDX-License-Identifier: AGPL-3.0-or-later

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("contributions", "0001_contributions"),
        ("readers", "0003_cohort"),
    ]

    operations = [
        migrations.CreateModel(
            name="Receipts",
            fields=[
                ("year", models.PositiveIntegerField(primary_key=True, serialize=False)),
                ("last", models.PositiveIntegerField(default=0)),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.AddField(
            model_name="gift",
            name="amount_at",
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="gift",
            name="forgotten",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="gift",
            name="next_at",
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="gift",
            name="number",
            field=models.PositiveSmallIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="gift",
            name="warned",
            field=models.DateField(null=True),
        ),
        migrations.AddField(
            model_name="refund",
            name="said",
            field=models.CharField(blank=True, max_length=300),
        ),
        migrations.AddField(
            model_name="standing",
            name="begun",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="standing",
            name="forged",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="standing",
            name="forged_day",
            field=models.DateField(null=True),
        ),
        migrations.AddField(
            model_name="standing",
            name="gaps_in_all",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="standing",
            name="newest",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="standing",
            name="next_try",
            field=models.DateTimeField(null=True),
        ),
        migrations.AlterField(
            model_name="gift",
            name="reader",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="gifts",
                to="readers.reader",
            ),
        ),
        migrations.AlterField(
            model_name="reminder",
            name="reader",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="reminders",
                to="readers.reader",
            ),
        ),
        migrations.CreateModel(
            name="Wish",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "ask",
                    models.CharField(
                        choices=[
                            ("amount", "another amount"),
                            ("pause", "a pause"),
                            ("resume", "to go on"),
                            ("cancel", "to end it"),
                            ("card", "another card"),
                        ],
                        max_length=10,
                    ),
                ),
                ("amount", models.BigIntegerField(default=0)),
                ("until", models.DateField(null=True)),
                ("answer", models.BooleanField(default=True)),
                ("refused", models.BooleanField(default=False)),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("not_before", models.DateTimeField()),
                ("said", models.CharField(blank=True, max_length=300)),
                (
                    "gift",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="wishes",
                        to="contributions.gift",
                    ),
                ),
            ],
            options={
                "default_permissions": ("view",),
                "indexes": [
                    models.Index(fields=["refused", "not_before"], name="contributions_wish_due")
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ask__in", ["amount", "pause", "resume", "cancel", "card"])
                        ),
                        name="contributions_wish_known",
                    )
                ],
            },
        ),
    ]
