Bbatchnormalization_45J@J$พ่ยพ่ยพ่ยพJ$พFพFพFพJ$พNญbฟNญbฟNญbฟJ$พ‘}
ฟ‘}
ฟ‘}
ฟ