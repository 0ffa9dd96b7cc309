Blayernormalization_16JHMÔÇ>Å[D@ß…Œ¾ÖUª¿påÌ¿QÕ=PX¦¿Äµ?èú‡<Õ1Ï¿UCà¿¬Îà>l›¿×ax?u’¾x­¿>‡
¿®{«¿