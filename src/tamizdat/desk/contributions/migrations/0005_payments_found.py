# SPDX-License-Identifier: AGPL-3.0-or-later
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("contributions", "0004_payments_by_intent")]

    operations = [
        migrations.AddIndex(
            model_name="payment",
            index=models.Index(fields=["currency", "amount"], name="contributions_payment_sum"),
        ),
        migrations.AddIndex(
            model_name="payment",
            index=models.Index(fields=["receipt"], name="contributions_payment_receipt"),
        ),
    ]
