"""What every AI service needs, kept current by `copier update`; the product is in `src/app`."""
