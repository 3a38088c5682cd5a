collect_ignore = ["billing", "fulfilment", "mailer", "shop"]  # repositories of their own: tests here run pytest in them
