B
reshape_23JÇo?AİíAØîA|A